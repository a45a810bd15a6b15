"""From a request to what is done about it, in a process or over HTTP."""
