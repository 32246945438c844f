"""What build.py does, one step a file. Python standard library only; imports neither inkling nor trainer.

    common       where things lie, one kind of error, files that appear whole or not at all
    download     one file over HTTP, with limits on waiting
    runtime      Pyodide's files, as runtime.lock.json lists them, from the cache or from the network
    node         a Node to run them with: the machine's own, or the one on PyPI
    python_pack  the standard library, NumPy and inkling as slim archives of compiled modules
    pages        the few files of dist/ that are written rather than copied
    compress     .gz and .br beside what gets smaller by it
    headers      the HTTP headers that a host should send
    assemble     dist/ from all that, put in its place whole
    server       dist/ on localhost, as a good static host would serve it
    watch        rebuild and reload when a file changes
    checks       the virtual environment, the browser, and pytest
"""
