"""How records become durable together: group commit, with two hands.

The loop that serves connections also turns what waits into rows and runs their statements. That is short, and done by
another thread it would cost more in handing the interpreter's lock to and fro. A thread does what may take long: the
COMMIT with its fsync, folding the write-ahead log, and work that is handed in as a function. Nobody who waits goes on
before the COMMIT of what he handed in, unless he said `soon`.

One commit costs nearly the same for one record as for many, so it takes all that is there. It begins when the loop
has brought nothing more in a turn, or when there is enough: the other gateway of an exchange stands idle while many
gather here. What comes while a commit is under way is in the next one; where the disk is slow, that is much.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import structlog

from smartgov.engines.troad.folding import Folding, end_if_the_disk_failed, truncate
from smartgov.engines.troad.problems import refuse

if TYPE_CHECKING:
    from smartgov.engines.troad.store import Entry

log = structlog.get_logger()
ENOUGH = 32
"""So many jobs begin a commit at once."""
Work = Callable[[sqlite3.Connection], Any]
_MOST = 512
"""Jobs of one commit."""
_WEIGHT = 200
"""What is handed in as a function may write as much as so many records (`retention`)."""
_WAIT_FOR_LOCK = "PRAGMA busy_timeout=10000"
_DO_NOT_WAIT = "PRAGMA busy_timeout=0"


@dataclass(slots=True)
class Job:
    """Something to run or entries to commit, who waits for it, and whether he may go on before the fsync."""

    work: Work | Sequence[Entry]
    future: asyncio.Future[Any]
    soon: bool = False


Results = list[tuple[Job, Any]]
_Loop = asyncio.AbstractEventLoop


class Writer:
    """Commits through `db`; to be used from one loop at a time.

    `carry` does all of some jobs within the open transaction and says what each gets, `undo` forgets what it did,
    `open_` makes another connection to the same file.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        carry: Callable[[list[Job]], Results],
        undo: Callable[[], None],
        open_: Callable[[], sqlite3.Connection],
    ) -> None:
        self._db, self._carry, self._undo = db, carry, undo
        self.may_sign = True
        """Whether signing is quick enough for the loop; a hardware module's is not."""
        self._waiting: list[Job] = []
        self._seen = 0
        """How many were waiting a turn of the loop ago."""
        self._busy = False
        self._called: _Loop | None = None
        self._using, self._ended = threading.Lock(), False
        self._queue: SimpleQueue[tuple[_Loop | None, list[Job], Results | None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._folding = Folding(open_)

    def start(self) -> None:
        """Fold what an earlier process left in the write-ahead log, which may be erased bodies; start the thread."""
        self._truncate()
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting; afterwards nothing is taken any more."""
        with self._using:
            self._ended = True
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._queue.put((None, waiting, None))
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._folding.end()

    def submit(self, work: Work | Sequence[Entry], *, soon: bool = False) -> asyncio.Future[Any]:
        """Hand in a job of the running loop; the future is its result, once that is durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._ended:
            future.set_exception(refuse("log-unavailable", cause="stopped"))
            return future
        self._waiting.append(Job(work, future, soon))
        if not self._busy:
            self._look_soon(loop)
        return future

    # -- in the loop --------------------------------------------------------------------------------------------

    def _look_soon(self, loop: _Loop) -> None:
        """Begin if there is enough; else look again after this turn of the loop, and all that it brings."""
        if len(self._waiting) >= ENOUGH:
            self._begin(loop)
        elif self._called is not loop:
            self._called = loop
            loop.call_soon(self._look, loop)

    def _look(self, loop: _Loop) -> None:
        """Begin a commit when the last turn has brought nothing more."""
        self._called = None
        if self._busy or not self._waiting:
            return
        if len(self._waiting) > self._seen:
            self._seen = len(self._waiting)
            self._look_soon(loop)
        else:
            self._begin(loop)

    def _begin(self, loop: _Loop) -> None:
        with self._using:
            if self._busy or not self._waiting:
                return
            jobs, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            self._seen, self._busy = 0, True
            self._hand_over(loop, jobs)

    def _hand_over(self, loop: _Loop, jobs: list[Job]) -> None:
        """Do all but the COMMIT here, where that is short; the thread does the rest."""
        results = None
        try:
            if self._is_short(jobs) and self._opened():
                results = self._carry(jobs)
                _settle([one for one in results if one[0].soon])
        except Exception as error:
            self._busy = False
            self._done(loop, self._failed(error, jobs))
        else:
            self._queue.put((loop, jobs, results))

    def _is_short(self, jobs: list[Job]) -> bool:
        if any(callable(job.work) for job in jobs):
            return False
        return self.may_sign or not any(entry.unsigned for job in jobs for entry in _entries(job))

    def _opened(self) -> bool:
        """Whether a transaction is open now; another process may hold the file, and the loop does not wait for it."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _done(self, loop: _Loop, results: Results) -> None:
        """A commit is over: those who waited go on, and what they bring is in the next one."""
        _settle(results)
        if self._waiting and not self._busy:
            self._look_soon(loop)

    # -- in the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (handed := self._queue.get()) is not None:
            loop, jobs, results = handed
            results = self._committed(jobs, results)
            if self._folding.is_due(sum(_WEIGHT if callable(job.work) else 1 for job in jobs)):
                _resolve(results)
                results = []
                self._folding.go_on(self._db)
            self._finished(loop, results)

    def _finished(self, loop: _Loop | None, results: Results) -> None:
        """Free for the next commit; whoever waits hears of it, also when the loop that began this one has ended."""
        self._busy = False
        own = [one for one in results if one[0].future.get_loop() is loop]
        _resolve([one for one in results if one[0].future.get_loop() is not loop])
        if loop is not None:
            _call(loop, self._done, loop, own)
        if (waiting := self._waiting) and (other := waiting[0].future.get_loop()) is not loop:
            _call(other, self._look, other)

    def _committed(self, jobs: list[Job], results: Results | None) -> Results:
        """Commit what the loop has carried out, or else do everything; what each job gets."""
        plain = [job for job in jobs if job.work is not truncate]
        try:
            if results is None:
                results = self._carried(plain)
            self._db.commit()  # as `execute("COMMIT")`, which would take the interpreter's lock four times
        except Exception as error:
            results = self._failed(error, plain)
        folding = [job for job in jobs if job.work is truncate]
        if folding:
            self._truncate()
        return results + [(job, None) for job in folding]

    def _carried(self, jobs: list[Job]) -> Results:
        if not jobs:
            return []
        self._db.execute(_WAIT_FOR_LOCK)
        try:
            self._db.execute("BEGIN IMMEDIATE")
        finally:
            self._db.execute(_DO_NOT_WAIT)
        results = self._carry(jobs)
        _resolve([one for one in results if one[0].soon])
        return results

    def _truncate(self) -> None:
        self._db.execute(_WAIT_FOR_LOCK)
        try:
            self._folding.empty(self._db)
        finally:
            self._db.execute(_DO_NOT_WAIT)

    # -- in either ----------------------------------------------------------------------------------------------

    def _failed(self, error: Exception, jobs: list[Job]) -> Results:
        """Undo everything; what the jobs get."""
        end_if_the_disk_failed(error)
        self._undo()
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        log.error("log_write_failed", exc_info=error)
        return [(job, refuse("log-unavailable", cause=type(error).__name__)) for job in jobs]


def _entries(job: Job) -> Sequence[Entry]:
    return () if callable(job.work) else job.work


def _resolve(results: Results) -> None:
    """Let all who wait go on, with one call into each loop."""
    loops: dict[_Loop, Results] = {}
    for one in results:
        loops.setdefault(one[0].future.get_loop(), []).append(one)
    for loop, settled in loops.items():
        _call(loop, _settle, settled)


def _call(loop: _Loop, call: Callable[..., None], *arguments: object) -> None:
    """Have a loop call this in its thread; one that has ended has nobody who waits."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)


def _settle(results: Results) -> None:
    for job, result in results:
        future = job.future
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
