"""``assay intent serve``: ask over HTTP, on this machine."""

from __future__ import annotations

from pathlib import Path

from assay.pages import Page, progress, wrong_option


def serve(
    *,
    mapper: Path | None = None,
    domain: str = "defi",
    host: str = "",
    port: int = 8765,
    waiting: int = 256,
) -> Page:
    """Answer requests over HTTP until interrupted: POST /ask, POST /batch, GET /health, /docs.

    It keeps nothing between requests and logs none of them.  Who may ask is not its business: it
    listens on this machine only, unless --host says otherwise.

    Parameters
    ----------
    mapper
        A folder that `assay intent train` wrote; without it the DeFi mapper, trained on first use.
    domain
        defi, or a folder with a domain.yaml.
    host
        The name or address to listen on; without it, this machine only.
    port
        The port; 0 takes a free one and says which.
    waiting
        Prompts that may wait; more are turned away with status 503.
    """
    from ..extras import require
    from ..grammar.domain import load_domain
    from ..grammar.verbs import by_keywords
    from ..serving.chosen import mapper_for
    from ..serving.handling import Handler
    from ..serving.service import Identity, make_app
    from ..serving.socket import listen

    if not 0 <= port <= 65535:
        raise wrong_option("--port", f"{port} is no port", "0 to 65535")
    if waiting < 1:
        raise wrong_option("--waiting", f"{waiting} lets nobody in", "256 is usual")
    require("fastapi", "uvicorn")
    known = load_domain(domain)
    made = mapper_for(known, mapper, say=progress)
    card = made.card
    identity = Identity(mapper=card.head.digest, encoder=card.encoder.name, domain=known.name)
    app = make_app(
        Handler(decide=made.answer_all, domain=known, second=by_keywords(known)),
        identity,
        waiting=waiting,
    )
    listen(app, host=host, port=port, say=progress)
    return Page(lines=["stopped"], facts={"stopped": True})
