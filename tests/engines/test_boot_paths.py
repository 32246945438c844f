"""The page starts from the snapshot; without it, in the slim way; and says which."""

import random

import pytest
from hand import digit

from engines.reports import reporting

SLIM = "?boot=slim"  # the page's own way to leave the snapshot out
GARBAGE = random.Random(0).randbytes(1_000_000)


def test_the_page_starts_from_the_snapshot(visit, dist):
    with reporting(dist) as server:
        tab = visit(server.url).open().ready()
        assert tab.read(digit(2)) == "2"
        health = tab.health()
    assert (health["boot"]["path"], health["boot"]["why_not_faster"]) == ("snapshot", None)
    assert health["status"] == "ok"


def test_the_page_starts_without_the_snapshot_when_it_is_asked_to(visit, dist):
    with reporting(dist, {"heap.bin": None}) as server:  # nor does it ask for it: Chromium would complain of the 404
        tab = visit(server.url).open(SLIM).ready()
        assert tab.read(digit(3)) == "3"
        health = tab.health()
    assert health["boot"]["path"] == "slim"
    assert health["status"] == "ok"


@pytest.mark.parametrize("instead", [None, b"", GARBAGE], ids=["missing", "empty", "garbage"])
def test_without_a_good_snapshot_the_page_starts_all_the_same(visit, dist, instead):
    with reporting(dist, {"heap.bin": instead}) as server:
        tab = visit(server.url)
        tab.expecting(r"heap\.bin")  # the console may tell why
        tab.open().ready()
        assert tab.read(digit(4)) == "4"
        health = tab.health()
    assert health["boot"]["path"] == "slim"
    assert "heap.bin" in health["boot"]["why_not_faster"]
    assert health["status"] == "ok"


# Another byte in the middle of the heap that is kept.
SPOIL = """
async () => {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      if (!request.url.endsWith("heap.bin")) continue;
      const kept = await cache.match(request);
      const { headers } = kept, bytes = new Uint8Array(await kept.arrayBuffer());
      bytes[bytes.length >> 1] ^= 1;
      await cache.put(request, new Response(bytes, { headers }));
    }
  }
}
"""


def test_a_kept_snapshot_that_went_bad_and_comes_wrong_is_done_without(visit, dist):
    faults = {}
    with reporting(dist, faults) as server:
        tab = visit(server.url).open().ready().offline_ready()
        tab.engine.evaluate(SPOIL)
        faults["heap.bin"] = GARBAGE
        tab.expecting(r"heap\.bin")
        tab.engine.reload()
        assert tab.ready().read(digit(4)) == "4"
        assert tab.health()["boot"]["path"] == "slim"
