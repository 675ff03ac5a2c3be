"""Sends frames to the accelerator on a board and prints its answers; needs pyserial and nothing else.

    python host.py /dev/ttyUSB0               the frames of frames.json, each answer beside the one expected
    python host.py /dev/ttyUSB0 frame.json    a frame of your own: height x width x channels feature codes, as lists

Of a sparse frame, the sites with a code other than 0 are active. What the line carries is in board.json.
"""

import json
import sys
import time
from pathlib import Path

RESET, CREDIT, ANSWER = b"RKA"


class HostProtocol:
    """The host's side of the line, as bytes to send and bytes that came; it never sends beyond its credit.

    Parameters
        line    the settings in board.json
    """

    def __init__(self, line):
        self.line = line
        self.restart()

    def restart(self):
        """Forget all that was sent and received, as the board does after a reset."""
        self.credit = self.line["ahead"]
        self.waiting, self.answers, self._rest = [], [], b""

    def queue_beats(self, beats):
        """Queue the beats of a frame."""
        self.waiting += beats

    def outgoing(self):
        """The bytes that may be sent now."""
        count = min(self.credit, len(self.waiting))
        ready, self.waiting = self.waiting[:count], self.waiting[count:]
        self.credit -= count
        return b"".join(beat.to_bytes(self.line["in_bytes"], "little") for beat in ready)

    def receive(self, data):
        """Take bytes that came from the board; the beats of answers are appended to ``answers``."""
        self._rest += data
        while self._rest:
            size = 1 + (self.line["out_bytes"] if self._rest[0] == ANSWER else 0)
            if len(self._rest) < size:
                return
            message, self._rest = self._rest[:size], self._rest[size:]
            if message[0] == ANSWER:
                self.answers.append(int.from_bytes(message[1:], "little"))
            elif message[0] == CREDIT:
                self.credit += self.line["grant"]
            else:
                raise SystemExit(f"the board said {message!r}, which is no message: is the line's speed right?")


def encode(layout, frame):
    """The beats of a frame.

    Parameters
        layout    ``input`` of board.json
        frame     feature codes as lists, height x width x channels
    """
    height, width, channels = layout["shape"]
    if [len(frame), len(frame[0]), len(frame[0][0])] != [height, width, channels]:
        raise SystemExit(f"this accelerator takes frames of {height} x {width} x {channels} codes")
    lanes, code = layout["lanes"], layout["code_bits"]
    y_bits, x_bits = max(1, (height - 1).bit_length()), max(1, (width - 1).bit_length())
    active = [(y, x) for y in range(height) for x in range(width) if not layout["sparse"] or any(frame[y][x])]

    def words(y, x):
        codes = [value % (1 << code) for value in frame[y][x]]
        return [sum(v << n * code for n, v in enumerate(codes[i : i + lanes])) for i in range(0, channels, lanes)]

    features = [(y << 1 | x << 1 + y_bits, word) for y, x in active for word in words(y, x)]
    if "bits" not in layout:
        return [word << 1 + y_bits + x_bits | site for site, word in features] + [1]
    mask = sum(1 << y * width + x for y, x in active)
    bits = layout["bits"]
    beats = [mask >> n * bits & (1 << bits) - 1 for n in range(-(-height * width // bits))]
    return beats + [word for _, word in features]


def decode(layout, beats):
    """The tokens of an answer: (y, x, codes) of each.

    Parameters
        layout    ``output`` of board.json
        beats     the beats of the answer, its ``end`` included
    """
    height, width, channels = layout["shape"]
    lanes, code = layout["lanes"], layout["code_bits"]
    y_bits, x_bits = max(1, (height - 1).bit_length()), max(1, (width - 1).bit_length())
    sign = 1 << code - 1 if layout["signed"] else 0
    tokens = []
    for first in range(0, len(beats) - 1, channels // lanes):
        codes = []
        for beat in beats[first : first + channels // lanes]:
            word = beat >> 1 + y_bits + x_bits
            codes += [((word >> n * code & (1 << code) - 1) ^ sign) - sign for n in range(lanes)]
        place = beats[first] >> 1
        tokens.append((place & (1 << y_bits) - 1, place >> y_bits & (1 << x_bits) - 1, codes))
    return tokens


def answer(port, protocol, beats):
    """Send a frame and wait for its answer.

    Parameters
        port     the open serial port
        protocol    its HostProtocol
        beats    the beats of the frame
    Returns      the beats of the answer
    Raises       SystemExit: the board has sent nothing for 10 s, or something that is no message
    """
    protocol.queue_beats(beats)
    last_received = time.monotonic()
    while not (protocol.answers and protocol.answers[-1] & 1):
        port.write(protocol.outgoing())
        data = port.read(max(1, port.in_waiting))
        if data:
            last_received = time.monotonic()
            protocol.receive(data)
        elif time.monotonic() - last_received > 10:
            raise SystemExit("the board has said nothing for 10 s")
    answer_beats, protocol.answers = protocol.answers, []
    return answer_beats


def main(arguments):
    """Send the frames, print the answers, and exit with status 1 where one differs from what is expected.

    Parameters
        arguments    the port's name, and optionally the file of a frame
    """
    if not 1 <= len(arguments) <= 2:
        raise SystemExit(__doc__)
    import serial

    here = Path(__file__).resolve().parent
    line = json.loads((here / "board.json").read_text())
    if len(arguments) == 2:
        cases = [(encode(line["input"], json.loads(Path(arguments[1]).read_text())), None)]
    else:
        cases = [(case["frame"], case["answer"]) for case in json.loads((here / "frames.json").read_text())]
    protocol, wrong = HostProtocol(line), 0
    with serial.Serial(arguments[0], line["baud"], timeout=0.1) as port:
        port.send_break(0.01)
        time.sleep(0.1)
        # a byte that was on its way may be cut short; the last one is the letter of the reset
        if port.read(port.in_waiting)[-1:] != bytes([RESET]):
            raise SystemExit(
                f"no accelerator answers on {arguments[0]}: is the bitstream loaded, and is this its port?"
            )
        for number, (beats, expected) in enumerate(cases):
            begin = time.perf_counter()
            actual = answer(port, protocol, beats)
            milliseconds = 1000 * (time.perf_counter() - begin)
            verdict = "" if expected is None else " as expected" if actual == expected else " DIFFERS"
            wrong += expected is not None and actual != expected
            print(f"frame {number}, {milliseconds:.1f} ms:{verdict}")
            for y, x, codes in decode(line["output"], actual):
                print(f"  ({y}, {x})", *codes)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
