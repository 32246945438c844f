"""After one visit the page works without its server."""

from hand import digit

from engines.reports import reporting


def test_after_one_visit_the_page_works_without_a_server(visit, dist):
    with reporting(dist) as server:
        tab = visit(server.url).open().ready().offline_ready()
        assert tab.read(digit(5)) == "5"
    tab.expecting("ERR_CONNECTION_REFUSED")  # Chromium says so of the question that follows
    assert tab.engine.evaluate("() => fetch('nothing-of-ours').then(() => 'answered', () => 'no network')") == "no network"
    tab.engine.reload()
    tab.ready().offline_ready()
    assert tab.answer() == "5"  # the drawing outlives a reload
    assert tab.read(digit(8)) == "8"
