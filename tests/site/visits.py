"""A page of the board in a browser, and what went wrong on it."""

from __future__ import annotations

from typing import Any

DRAWN = "body:not(:has([aria-busy])) :is(#view, #problem):not([hidden])"
STEP = "hash => new Promise(done => { addEventListener('hashchange', () => requestAnimationFrame(() => done()), { once: true }); location.hash = hash; })"


class Visit:
    """A page with a board, and what went wrong on it: errors, refused scripts, dialogs."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        self.wrong: list[str] = []
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", self.refuse)
        page.on("console", self.hear)

    def refuse(self, dialog: Any) -> None:
        """Note a dialog: nothing on the page opens one."""
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def hear(self, message: Any) -> None:
        """Note what the console calls an error, a refused script among them."""
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def go(self, hash_: str = "") -> Any:
        """Open the page anew at a state."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.base}/index.html{hash_}")
        self.page.wait_for_selector(DRAWN, state="attached")
        return self.page

    def to(self, hash_: str) -> Any:
        """Go on to another state without loading the page again."""
        self.page.evaluate(STEP, hash_)
        self.page.wait_for_selector(DRAWN, state="attached")
        return self.page
