from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import ModelFileError, OptionError
from mycloset.hub import catalogue
from mycloset.hub.embedded import NETWORKS
from mycloset.hub.entries import HfSource, HttpsSource, PypiSource

ENTRY = """
entries:
  - name: net
    title: a network
    file: net.bin
    steps: [cloth_segmentation]
    licence: MIT
    credit: Somebody
    homepage: https://example.org/net
    source: {source}
    size: 10
    sha256: {sha}
"""


def entry_text(source: str = "https://example.org/net.bin", sha: str = "ab" * 32) -> str:
    return ENTRY.format(source=source, sha=sha)


def test_the_catalogue_holds_every_embedded_network() -> None:
    known = catalogue.load()
    assert [entry.name for entry in known.expand("embedded")] == [net.name for net in NETWORKS]
    for entry in known.expand("embedded"):
        assert isinstance(entry.source, PypiSource)
        assert entry.licence == "Apache-2.0"
        assert entry.file == entry.source.member.rsplit("/", 1)[1]


@pytest.mark.parametrize(
    ("text", "source", "folder"),
    [
        (
            "hf:owner/repo@0123456789abcdef/sub/model.safetensors",
            HfSource("owner/repo", "0123456789abcdef", "sub/model.safetensors"),
            "owner--repo@0123456789ab",
        ),
        (
            "https://example.org/a/b.pth",
            HttpsSource("https://example.org/a/b.pth"),
            "example.org",
        ),
    ],
)
def test_sources_are_read_and_written(
    text: str, source: HfSource | HttpsSource, folder: str
) -> None:
    entry = catalogue.parse(entry_text(text), "c.yaml").entry("net")
    assert entry.source == source
    assert str(entry.source) == text
    assert entry.source.folder == folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "not a mapping"),
        ("entries: {a: 1}", "entries is not a list"),
        ("entries: [7]", "entry 1: it is not a mapping"),
        ("a: [", "not YAML"),
        ("models: []", "unknown models"),
        (entry_text("ftp://example.org/x"), r"entry 1 \(net\): source 'ftp"),
        (entry_text("hf:repo-without-owner@1/x"), "none that is known"),
        (entry_text("pypi:gone==1.0!a/b"), "no wheel gone==1.0 is described"),
        (entry_text(sha="AB" * 32), "sha256 is"),
        (entry_text().replace("size: 10", "size: true"), "size is True"),
        (entry_text().replace("file: net.bin", "file: ../net.bin"), "file is"),
        (entry_text().replace("    licence: MIT\n", ""), "licence is None"),
        (entry_text().replace("licence:", "license:"), "unknown license"),
        (entry_text() + entry_text().split("entries:")[1], "taken by another"),
        (entry_text() + "bundles: {all: [net, gone]}", "no entries gone"),
        (entry_text() + "bundles: {net: [net]}", "an entry has its name"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        catalogue.parse(text, "c.yaml")
    assert "c.yaml" in str(caught.value)


@given(text=st.text(max_size=80))
def test_any_text_is_read_or_refused_properly(text: str) -> None:
    with contextlib.suppress(ModelFileError):
        assert not catalogue.parse(text, "any").entries


def test_names_near_a_known_one_are_suggested() -> None:
    with pytest.raises(OptionError, match="Did you mean embedded"):
        catalogue.load().expand("embeded")
    with pytest.raises(OptionError, match="There are"):
        catalogue.load().entry("zzz")
