"""Where runs are trained: in this process, in processes side by side, or on a Dask scheduler."""

import io
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue, SimpleQueue
from typing import Any

from lightcourse.errors import UserError
from lightcourse.training._exp_jobs import Job, run_job
from lightcourse.training._exp_worker import reason, receive, send

# a job, then ("done", run as plain data) or ("failed", why)
Answer = tuple[Job, str, Any]
_WORKER = "lightcourse.training._exp_worker"


def pack(thing: Any) -> bytes | None:
    """Pickle a thing so that another process can open it; None where that cannot be.

    Functions and classes of a notebook or script travel with cloudpickle, if it is installed.
    """
    try:
        import cloudpickle
    except ImportError:
        return _plain_pickle(thing)
    try:
        return cloudpickle.dumps(thing)
    except Exception:  # locks, open files, generators: anything may be in a closure
        return None


def _plain_pickle(thing: Any) -> bytes | None:
    try:
        data = pickle.dumps(thing)
    except Exception:
        return None
    # such a name is only known here: another process has another __main__
    return None if b"__main__" in data else data


def here(jobs: Sequence[Job], data: Mapping[str, Any]) -> Iterator[Answer]:
    """Train one after the other in this process."""
    broken: set[str] = set()
    for job in jobs:
        if job.name in broken:
            continue
        try:
            yield job, "done", run_job(job, data[job.data])
        except Exception as error:  # the caller hears of it with the variant's name
            broken.add(job.name)
            yield job, "failed", reason(error)


def side_by_side(jobs: Sequence[Job], data: Mapping[str, Any], workers: int) -> Iterator[Answer]:
    """Train in worker processes, one thread each; stop them all when the caller stops."""
    packed = [(job, pack(job)) for job in jobs]
    table = {key: pack(splits) for key, splits in data.items()}
    away = [(job, load) for job, load in packed if load is not None and table[job.data] is not None]
    leaving = {job.key for job, _ in away}
    with tempfile.TemporaryDirectory(prefix="lightcourse-") as folder:
        files = {}
        for number, (key, load) in enumerate(table.items()):
            files[key] = str(Path(folder) / f"{number}.pickle")
            Path(files[key]).write_bytes(load or b"")
        yield from _spread([(job, load, files[job.data]) for job, load in away], workers)
    yield from here([job for job in jobs if job.key not in leaving], data)


def _spread(work: list[tuple[Job, bytes, str]], count: int) -> Iterator[Answer]:
    waiting: SimpleQueue[tuple[Job, bytes, str]] = SimpleQueue()
    for item in work:
        waiting.put(item)
    answers: Queue[Answer] = Queue()
    broken: set[str] = set()
    staff = [_Worker(waiting, answers, broken) for _ in range(min(count, len(work)))]
    try:
        for worker in staff:
            worker.start()
        while any(worker.is_alive() for worker in staff) or not answers.empty():
            with suppress(Empty):  # a wait with an end, so that Ctrl-C gets through everywhere
                answer = answers.get(timeout=0.2)
                yield answer
    finally:
        for worker in staff:
            worker.dismiss()


class _Worker(threading.Thread):
    """A thread that feeds one process, and starts another should it die."""

    def __init__(self, waiting: Any, answers: Any, broken: set[str]) -> None:
        super().__init__(daemon=True)
        self.waiting, self.answers, self.broken = waiting, answers, broken
        self.process: subprocess.Popen[bytes] | None = None
        self.dismissed = False
        self.lock = threading.Lock()  # no process may start after the dismissal

    def run(self) -> None:
        while not self.dismissed:
            try:
                job, load, file = self.waiting.get_nowait()
            except Empty:
                break
            if job.name in self.broken:
                continue
            kind, value = self._ask(load, file)
            if self.dismissed:
                break
            if kind == "failed":
                self.broken.add(job.name)
            self.answers.put((job, kind, value))
        self.dismiss()

    def _ask(self, load: bytes, file: str) -> tuple[str, Any]:
        with self.lock:
            if self.dismissed:
                return "failed", "stopped"
            process = self.process = self.process or _start()
        to, back = process.stdin, process.stdout
        assert to is not None and back is not None
        try:
            send(to, (load, file))  # pyright: ignore[reportArgumentType]
            return receive(back)  # pyright: ignore[reportArgumentType]
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            code = process.wait()
            self._close(process)
            self.process = None
            return "failed", (
                f"its process ended with code {code}, perhaps for lack of memory; "
                "try jobs=1 or fewer pictures"
            )

    def dismiss(self) -> None:
        """Kill the process, whatever it does."""
        with self.lock:
            self.dismissed = True
            process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            self._close(process)

    @staticmethod
    def _close(process: "subprocess.Popen[bytes]") -> None:
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _start() -> "subprocess.Popen[bytes]":
    """Start a process of its own: it never reads the caller's script, and Ctrl-C is not for it."""
    paths = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    windows = sys.platform == "win32"
    return subprocess.Popen(
        [sys.executable, "-m", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": paths},
        start_new_session=not windows,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) if windows else 0,
    )


def on_dask(jobs: Sequence[Job], data: Mapping[str, Any], scheduler: Any) -> Iterator[Answer]:
    """Train on the workers of a Dask scheduler; take the runs back that are not done at a stop."""
    with _client(scheduler) as client:
        from distributed import as_completed

        table = {
            key: client.scatter(_portable(splits, "the data"), hash=False)
            for key, splits in data.items()
        }
        futures = {}
        for job in jobs:
            load = _portable(job, f"variant {job.name!r}")
            futures[client.submit(_packed_run, load, table[job.data], pure=False)] = job
        try:
            for future in as_completed(list(futures), loop=client.loop):
                error = future.exception()
                if error is None:
                    yield futures[future], "done", future.result()
                else:
                    yield futures[future], "failed", reason(error)
        finally:
            client.cancel(list(futures))


def _packed_run(load: bytes, data: bytes) -> dict[str, Any]:
    """What a Dask worker calls; it unpacks here, as the scheduler has no need to know the job."""
    return run_job(pickle.load(io.BytesIO(load)), pickle.loads(data))


def _portable(thing: Any, name: str) -> bytes:
    data = pack(thing)
    if data is None:
        raise UserError(
            f"{name} cannot travel to another machine; define its functions in a module, without "
            "open files or locks in them."
        )
    return data


@contextmanager
def _client(scheduler: Any) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        raise UserError(
            "scheduler=… needs Dask; install it here and on the workers: pip install distributed"
        ) from error
    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    try:
        client = distributed.Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"No Dask scheduler answers at {scheduler!r}; start one with 'dask scheduler' and "
            "workers with 'dask worker tcp://HOST:8786 --nthreads 1'."
        ) from error
    try:
        yield client
    finally:
        client.close()
