"""What Python says of what is denied, in threads, tasks and programs that it starts."""
import asyncio, os, shutil, socket, subprocess, threading


def attempt(what):
    try:
        what()
        print("done")
    except OSError as error:
        print(type(error).__name__, error)


attempts = [
    lambda: open("secret"),
    lambda: os.listdir("hidden"),
    lambda: os.unlink("secret"),
    lambda: os.rename("secret", "other"),
    lambda: os.symlink("plain", "hidden/link"),
    lambda: shutil.copy("secret", "other"),
    lambda: subprocess.run(["./tool"]),
    lambda: socket.create_connection(("127.0.0.1", 1)),
    lambda: os.kill(os.getppid(), 0),
    lambda: os.sched_setscheduler(1, os.SCHED_OTHER, os.sched_param(0)),
]
for what in attempts:
    attempt(what)
    thread = threading.Thread(target=attempt, args=(what,))
    thread.start()
    thread.join()


async def tasks():
    await asyncio.gather(*[asyncio.to_thread(attempt, what) for what in attempts])


asyncio.run(tasks())
print("end")
