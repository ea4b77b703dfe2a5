"""Runs a script of Spark's on Sail, in this process; started by the local stack.

.. seealso:: https://docs.lakesail.com/sail/latest/
"""

import os
import runpy
import sys
import traceback


def main() -> None:
    """Start Sail, lead Spark Connect to it, and run the script that the arguments begin with.

    The process ends here, whatever threads the script has left: the client of Spark Connect would
    go on looking for a server that has ended.
    """
    from pysail.spark import SparkConnectServer  # noqa: PLC0415 - in Sail's environment alone

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    os.environ["SPARK_REMOTE"] = f"sc://127.0.0.1:{port}"
    sys.argv = sys.argv[1:]
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if code and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    except BaseException:  # noqa: BLE001 - reported as the interpreter does
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
