"""Runs a program in a pseudo-terminal: pty.py COLUMNS ROWS PROGRAM [ARG...].

stdin is what is typed (NUL RESIZE COLUMNS ROWS: the window gets another size), stdout what the terminal gets. On stderr: one line of JSON with the pid
and when it was started (seconds of the monotonic clock) at the start, and one at the end with how it ended and how it left the terminal.
"""
import fcntl, json, os, re, select, signal, struct, subprocess, sys, termios, time, tty

columns, rows, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


before = termios.tcgetattr(slave)
at = time.monotonic()
child = subprocess.Popen(program, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal, close_fds=True)
# A test that is stopped takes its child along.
signal.signal(signal.SIGTERM, lambda *_: (child.kill(), sys.exit(1)))
print(json.dumps({"pid": child.pid, "at": at}), file=sys.stderr, flush=True)
watched = [master, 0]
while True:
    ended = child.poll() is not None
    ready, _, _ = select.select(watched, [], [], 0 if ended else 0.02)
    if 0 in ready:
        typed = os.read(0, 4096)
        if not typed:
            watched.remove(0)
        # Keys and sizes that were sent one after the other may come together.
        for part in re.split(rb"(\0RESIZE \d+ \d+\n)", typed):
            if part.startswith(b"\0RESIZE "):
                columns, rows = (int(size) for size in part.split()[1:3])
                fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            elif part:
                os.write(master, part)
    if master in ready:
        os.write(1, os.read(master, 65536))
    elif ended:
        break
after = termios.tcgetattr(slave)
print(json.dumps({"returncode": child.returncode, "restored": before[:4] == after[:4]}), file=sys.stderr, flush=True)
