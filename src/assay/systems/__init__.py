"""Systems that any family uses: controls, and wrappers around another system."""
