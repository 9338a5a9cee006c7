# Open files that go along with messages, receiving that waits, and what System V has.
import array, ctypes, os, signal, socket, struct, threading, time

SPACE = socket.CMSG_SPACE(16)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def send(to, files, data=b"x"):
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
    to.sendmsg([data], [rights] if files else [])


def receive(by, flags=0):
    data, control, told, _ = by.recvmsg(100, SPACE, flags)
    files = array.array("i")
    for level, kind, found in control:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        files.frombytes(found[: len(found) // 4 * 4])
    return data, list(files), told


with open("sent", "w") as it:
    it.write("what is sent\n")
reader, writer = os.pipe()
sent = os.open("sent", os.O_RDONLY)
send(a, [sent, writer])
data, files, told = receive(b)
os.write(files[1], b"by a pipe")
print(data, len(files), told, os.read(files[0], 100), os.read(reader, 100))

child = os.fork()
if child == 0:
    data, files, _ = receive(b)
    os.lseek(files[0], 5, os.SEEK_SET)
    print("child", data, os.read(files[0], 100), flush=True)
    os._exit(7)
time.sleep(0.1)
send(a, [sent])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def interrupt(*_):
    raise InterruptedError


signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    receive(b)
except InterruptedError:
    print("interrupted")
b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200_000))
try:
    receive(b)
except BlockingIOError:
    print("nothing came")
b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
got = []
thread = threading.Thread(target=lambda: got.append(receive(b)))
thread.start()
time.sleep(0.1)
a.send(b"to a thread")
thread.join()
print(got)
a.send(b"twice")
print(receive(b, socket.MSG_PEEK)[0], receive(b)[0])
a.shutdown(socket.SHUT_WR)
print(receive(b))

libc = ctypes.CDLL(None, use_errno=True)
PRIVATE, CREATE, EXCLUSIVE, REMOVE = 0, 0o1000, 0o2000, 0
KEY = 0x6D61_6E64 ^ os.getpid()


def tell(what, result):
    print(what, "ok" if result >= 0 else os.strerror(ctypes.get_errno()))
    return result


found = tell("made", libc.semget(KEY, 1, CREATE | EXCLUSIVE | 0o600))
tell("made again", libc.semget(KEY, 1, CREATE | EXCLUSIVE | 0o600))
print("found", libc.semget(KEY, 1, 0) == found)
operation = struct.pack("hhh", 0, 1, 0)
tell("up", libc.semop(found, operation, 1))
print("value", libc.semctl(found, 0, 12))
tell("gone", libc.semctl(found, 0, REMOVE))
tell("used", libc.semop(found, operation, 1))
libc.shmat.restype = ctypes.c_void_p
memory = tell("memory", libc.shmget(PRIVATE, 4096, 0o600))
at = libc.shmat(memory, None, 0)
ctypes.memmove(at, b"in shared memory\0", 17)
print(ctypes.string_at(libc.shmat(memory, None, 0o10000)))
tell("memory gone", libc.shmctl(memory, REMOVE, None))
queue = tell("queue", libc.msgget(PRIVATE, 0o600))
tell("sent", libc.msgsnd(queue, struct.pack("l8s", 1, b"message"), 8, 0))
buffer = ctypes.create_string_buffer(64)
print(libc.msgrcv(queue, buffer, 8, 0, 0), buffer.raw[8:15])
tell("queue gone", libc.msgctl(queue, REMOVE, None))
