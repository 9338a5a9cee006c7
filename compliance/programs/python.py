"""Threads that start programs, an event loop, sockets, processes that share memory, descriptors that are passed."""
import asyncio, concurrent.futures, fcntl, mmap, multiprocessing, os, select, signal, socket, sqlite3, subprocess, tempfile, threading

results = {}


def work(number):
    total = 0
    for turn in range(20):
        total += int(subprocess.run(["/bin/echo", str(number * turn)], capture_output=True).stdout)
        with open(f"new{number}.{turn}", "w") as file:
            file.write(str(turn))
        os.rename(f"new{number}.{turn}", f"old{number}.{turn}")
        with open(f"old{number}.{turn}") as file:
            total += int(file.read())
    results[number] = total


threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results.items()))


async def loop():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def ask(number):
        reader, writer = await asyncio.open_unix_connection("socket")
        writer.write(b"hello %d\n" % number)
        line = await reader.readline()
        writer.close()
        return line

    async def start(number):
        shell = await asyncio.create_subprocess_exec("/bin/sh", "-c", f"echo {number}", stdout=subprocess.PIPE)
        return int((await shell.communicate())[0])

    server = await asyncio.start_unix_server(answer, "socket")
    print(sorted(await asyncio.gather(*[ask(number) for number in range(10)])))
    print(await asyncio.gather(*[start(number) for number in range(10)]))
    server.close()
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.1)
    except asyncio.TimeoutError:
        print("timeout")


asyncio.run(loop())
os.unlink("socket")

listener = socket.create_server(("127.0.0.1", 0))


def serve():
    connection, _ = listener.accept()
    connection.sendall(connection.recv(100)[::-1])
    connection.close()


server = threading.Thread(target=serve)
server.start()
with socket.create_connection(listener.getsockname()) as connection:
    connection.sendall(b"abc")
    print(connection.recv(100))
server.join()
one, two = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
one.bind(("127.0.0.1", 0))
two.sendto(b"datagram", one.getsockname())
print(one.recvfrom(100)[0])

shared = mmap.mmap(-1, 4096)
if os.fork() == 0:
    shared[:3] = b"xyz"
    os._exit(3)
print(os.waitstatus_to_exitcode(os.wait()[1]), shared[:3])
with multiprocessing.Pool(4) as pool:
    print(sum(pool.map(abs, range(-100, 0))))
with concurrent.futures.ProcessPoolExecutor(2) as pool:
    print(list(pool.map(abs, [-1, -2])))
near, far = socket.socketpair()
socket.send_fds(near, [b"x"], [os.open("/etc/passwd", os.O_RDONLY)])
print(os.read(socket.recv_fds(far, 10, 1)[1][0], 4))
signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.pause()
os.mkfifo("pipe")
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
    open("pipe")
except ZeroDivisionError:
    print("a FIFO's open was interrupted")
with tempfile.TemporaryDirectory(dir=".") as folder:
    open(folder + "/file", "w").close()
    print(os.listdir(folder))
with open("locked", "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print(subprocess.run(["flock", "-n", "locked", "true"]).returncode)
with sqlite3.connect("database") as database:
    database.execute("create table t(n)")
    database.executemany("insert into t values(?)", [(n,) for n in range(100)])
print(database.execute("select sum(n) from t").fetchone())
poll = select.epoll()
poll.register(near, select.EPOLLIN)
far.send(b"x")
print(len(poll.poll(1)), len(os.listdir(".")))
