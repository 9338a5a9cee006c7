"""Functions of Python that C calls, from several threads: code that is made at run time."""
import ctypes
import threading

libc = ctypes.CDLL(None)
compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
results = {}


def work(seed):
    numbers = (ctypes.c_int * 100)(*[(n * 37 + seed) % 101 for n in range(100)])
    try:
        libc.qsort(numbers, 100, 4, compare_type(lambda a, b: a[0] - b[0]))
        results[seed] = list(numbers)[:3]
    except MemoryError:
        results[seed] = "no memory for code"


threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for seed in sorted(results):
    print(seed, results[seed])
