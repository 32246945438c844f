#!/usr/bin/env python3
"""The front door: build, serve, test, bench, release, clean. Needs Python 3.11 or newer, and nothing else."""

import sys

if sys.version_info < (3, 11):
    sys.exit("Inkling needs Python 3.11 or newer; this is %d.%d (%s)." % (sys.version_info[0], sys.version_info[1], sys.executable))

import argparse
import traceback

from builder.common import BuildError, python_command, say


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code: 0 well, 1 failure, 2 usage."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments or ["build"])
    if rest and options.run not in (run_test, run_bench):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return options.run(options)
    except BuildError as error:
        return fail(error, options.debug)
    except OSError as error:
        return fail(error, options.debug)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 1


def fail(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    print(f"build.py: {error}", file=sys.stderr)
    return 1


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all our errors are; argparse puts the whole usage before it."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {' '.join(message.splitlines())}. See {self.prog} --help\n")


def make_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="build.py", description=__doc__, epilog="without a command: build", allow_abbrev=False)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run, summary: str, example: str) -> argparse.ArgumentParser:
        example = f"example: {python_command()} build.py {example}"
        command = commands.add_parser(name, parents=[common], help=summary, description=summary, epilog=example, allow_abbrev=False)
        command.set_defaults(run=run)
        return command

    add("build", run_build, "Make dist/, the static site, ready for any host.", "build")
    add("release", run_release, "Make release/: the site as a zip, the single file, the Python package, the notices, checksums.", "release")
    summary = "Build (without the .br and .gz that a real host needs), serve the site on this machine, and open it."
    serve = add("serve", run_serve, summary, "serve --port 8080 --watch")
    serve.add_argument("--port", type=port_number, default=8000, help="default 8000; if it is taken, the next free one")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen; default 127.0.0.1, this machine only")
    serve.add_argument("--no-open", action="store_true", help="do not open a browser")
    serve.add_argument("--watch", action="store_true", help="rebuild and reload when a file changes")
    test = add("test", run_test, "Run the tests, in a virtual environment made for them.", "test -k layers -x")
    test.add_argument("--all", action="store_true", help="also what needs large downloads (PyTorch); CI=true means the same")
    test.usage = "build.py test [-h] [--debug] [--all] [arguments for pytest ...]"
    bench = add("bench", run_bench, "Run benchmarks/bench_NAME.py.", "bench boot")
    bench.add_argument("name", metavar="NAME")
    bench.add_argument("--all", action="store_true", help="install PyTorch first, for comparisons with it")
    add("clean", run_clean, "Remove dist/, release/ and what the tests installed; the cache of downloads stays.", "clean")
    return parser


def port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, a number from 1 to 65535")
    return int(text)


def run_build(options) -> int:
    from builder.assemble import build

    say(f"Built {build()}")
    return 0


def run_release(options) -> int:
    from builder.release import release

    say(f"Released into {release()}")
    return 0


def run_serve(options) -> int:
    from builder.server import serve

    return serve(port=options.port, host=options.host, open_page=not options.no_open, watch=options.watch)


def run_test(options) -> int:
    from builder.checks import run_tests

    return run_tests(options.rest, everything=options.all)


def run_bench(options) -> int:
    from builder.checks import run_benchmark

    return run_benchmark(options.name, options.rest, everything=options.all)


def run_clean(options) -> int:
    from builder.assemble import clean

    clean()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
