"""`python -m lockgate.processes`: a supervised process, whose libraries are loaded without looking for garbage.

Nothing of what is loaded is garbage, and the collector takes an eighth of the time until the first answer to find that
out. It is back to work when the process is ready (`lockgate.processes.memory`).
"""

import gc
import sys

if __name__ == "__main__":
    gc.disable()
    from lockgate.unadorned import unadorned

    with unadorned():
        from lockgate.processes.child import main

        status = main()  # what the process loads later finds none, either
    sys.exit(status)
