"""A console for a browser that starts at once: it says what it was told, in the packets of Textual.

Started as a program with a word that says how it behaves.
"""

import json
import os
import select
import sys
import threading


def packet(kind: bytes, payload: bytes) -> None:
    os.write(1, kind + len(payload).to_bytes(4, "big") + payload)


def draw(text: str) -> None:
    packet(b"D", text.encode())


def read(count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = os.read(0, count - len(found))
        if not more:
            os._exit(3)
        found += more
    return found


def main(manner: str) -> None:
    if manner == "broken":
        sys.stderr.write("bank: there is no bank\n")
        sys.exit(2)
    os.write(1, b"something else\n__GANGLION__\n")
    draw(f"console {os.getpid()} of {os.environ['COLUMNS']}x{os.environ['ROWS']}\n")
    if manner == "crashing":
        sys.stderr.write("Traceback: token = 'the operator's secret'\n")
        sys.exit(1)
    if manner == "deaf":
        threading.Event().wait()
    while True:
        while manner == "flooding" and not select.select([0], [], [], 0)[0]:
            draw("x" * 100_000)
        kind, size = read(1), int.from_bytes(read(4), "big")
        told = read(size).decode()
        if kind == b"D":
            draw(f"typed {told}")
            continue
        message = json.loads(told)
        if message["type"] == "resize":
            draw(f"now {message['width']}x{message['height']}")
        elif message["type"] == "quit" and manner == "stuck":
            threading.Event().wait()
        elif message["type"] == "quit":
            packet(b"M", b'{"type": "exit"}')
            sys.exit(0)
        else:
            draw(message["type"])


if __name__ == "__main__":
    main(sys.argv[1])
