"""What build.py does, one step a file. Python standard library only; imports neither inkling nor trainer.

    runtime      Pyodide's files, as runtime.lock.json lists them, from the cache or from the network
    node         a Node to run them with: the machine's own, or the one on PyPI
    python_pack  the standard library, NumPy and inkling as slim archives of compiled modules
    compress     .gz and .br beside what gets smaller by it
    assemble     dist/: content-hashed folders, the table of assets, the list for offline use
    server       dist/ on localhost, as a good static host would serve it
    watch        rebuild and reload when a file changes
    checks       the virtual environment, the browser and pytest
"""
