# Copyright: the meshwright.ambient contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# **PRIVATE** to the collection: it may change in any release.

"""Reads YAML manifests from a URL, a file or a directory, within bounds, and as a whole or not at all."""

from __future__ import annotations

import typing as t
from http.client import HTTPException, InvalidURL
from pathlib import Path
from urllib.parse import unquote

from ansible.module_utils.urls import open_url

from .._errors import MeshError
from .._text import userinfo_in, without_userinfo
from .._yaml import MOST_BYTES, YamlOutOfBounds, load_documents

DOWNLOAD_SECONDS = 60
# The files of a directory that kubectl takes. Source: cli-runtime's pkg/resource/builder.go (FileExtensions).
_SUFFIXES = (".json", ".yaml", ".yml")


class _Truncated(OSError):
    """A download ended before all of it was there."""


def read_bundle(source: str) -> list[dict[str, t.Any]]:
    """All documents of a source, those of a directory in the order of their files.

    Raises:
        MeshError: it cannot be read, is not YAML, is out of bounds, or was not received as a whole.
    """
    # Imported here because connect() has reported by now if it is missing: the package kubernetes needs it too.
    from yaml import YAMLError

    try:
        texts = [_download(source)] if source.startswith(("https://", "http://")) else _read(Path(source).expanduser())
        documents = [document for text in texts for document in load_documents(text)]
    except YamlOutOfBounds as error:
        raise MeshError(f"The manifests at {source} were not read: {error}, and is no bundle of definitions; check the address or path.") from error
    except (OSError, ValueError, YAMLError, HTTPException, EOFError) as error:
        if isinstance(error, (_Truncated, HTTPException, EOFError)) and not isinstance(error, InvalidURL):
            raise MeshError(f"The manifests at {source} were not received as a whole ({error}): run again, or check the proxies on the way.") from error
        reason = getattr(error, "strerror", None) or str(error)
        raise MeshError(f"The manifests at {source} could not be read ({reason}): check the address or path.") from error
    found = [document for document in documents if isinstance(document, dict) and "kind" in document]
    if not found:
        raise MeshError(f"There are no manifests at {source}: name a URL, a file or a directory with YAML files.")
    return found


def _read(path: Path) -> list[bytes]:
    paths = sorted(part for part in path.iterdir() if part.suffix in _SUFFIXES and part.is_file()) if path.is_dir() else [path]
    texts: list[bytes] = []
    for part in paths:
        with part.open("rb") as file:
            texts.append(_bounded(file, MOST_BYTES - sum(map(len, texts))))
    return texts


def _download(url: str) -> bytes:
    # Apart from the URL, of which an error may quote a part.
    user, _colon, password = next(iter(userinfo_in(url)), "").partition(":")
    # open_url's errors are urllib's, which are OSErrors; a URL that cannot be one is a ValueError.
    with open_url(without_userinfo(url), timeout=DOWNLOAD_SECONDS, url_username=unquote(user) or None, url_password=unquote(password)) as response:
        text = _bounded(response, MOST_BYTES)
        # If the connection was cut, the rest of Content-Length is still due; read() with a number of bytes does not complain.
        missing = getattr(response, "length", None)
    if missing:
        raise _Truncated(f"{missing} bytes are missing")
    return text


def _bounded(stream: t.IO[bytes], most: int) -> bytes:
    """All of a stream.

    Raises:
        YamlOutOfBounds: it has more bytes, or does not end.
    """
    parts: list[bytes] = []
    while part := stream.read(1024 * 1024):
        parts.append(part)
        most -= len(part)
        if most < 0:
            raise YamlOutOfBounds(f"it has more than {MOST_BYTES // 1024 // 1024} MB")
    return b"".join(parts)


__all__ = ("read_bundle",)
