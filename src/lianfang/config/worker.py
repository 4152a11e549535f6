"""The worker: does what acts have left owed. No person's status depends on it (O-2)."""

from __future__ import annotations

import logging
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from procrastinate.manager import JobManager

    from lianfang.kernel.actor import Actor

log = logging.getLogger("lianfang.worker")


def _kept_alive(name: str, loop: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run `loop` until told to stop; a fault is logged and the loop begun again a second later."""
    from django.db import close_old_connections

    while not stop.is_set():
        try:
            loop(stop)
        except Exception:
            log.exception("%s failed and starts again", name)
            close_old_connections()
            stop.wait(1.0)


#: Seconds between two looks for jobs that a killed worker left; it counts as gone after 30 without a sign of life.
_LOOK_EVERY = 10.0


async def take_up_again(manager: JobManager) -> int:
    """Queue once more what a killed worker had begun; every job can be done twice. Returns how many."""
    left = list(await manager.get_stalled_jobs(seconds_since_heartbeat=30))
    for job in left:
        log.warning("job %s (%s) was left by a worker that is gone; queued again", job.id, job.task_name)
        await manager.retry_job(job)
    return len(left)


def _jobs(stop: threading.Event) -> None:
    """Imports, bulk prints and deliveries, as they are queued."""
    import asyncio

    from procrastinate.contrib.django import app

    async def work() -> None:
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    install_signal_handlers=False, fetch_job_polling_interval=0.5, concurrency=2
                )
            )
            looked = -_LOOK_EVERY
            while not stop.is_set() and not worker.done():
                if (now := asyncio.get_running_loop().time()) - looked >= _LOOK_EVERY:
                    looked = now
                    await take_up_again(app.job_manager)
                await asyncio.sleep(0.2)
            worker.cancel()
            outcome = await asyncio.gather(worker, return_exceptions=True)
        if isinstance(outcome[0], Exception):
            raise outcome[0]

    with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]  # the Django connector offers it
        asyncio.run(work())


def hourly(done: dict[str, datetime], *, by: Actor) -> None:
    """The hour's digests for the chain: who read whom, and which status lists were published (R-2, L-5).

    Also what is destroyed because its term is over. `done` keeps the hour for which each job was last done. One that
    fails is logged and asked again at the next call, and the others go on: while the chain is suspended the digests
    wait, and what is to be destroyed does not.
    """
    from lianfang.credentials import actions as credentials
    from lianfang.orders import actions as orders
    from lianfang.people import actions as people

    hour = by.at.replace(minute=0, second=0, microsecond=0)
    for job in (people.batch_reads, credentials.note_published, orders.destroy_ended, orders.forget_reports):
        if done.get(job.__name__) != hour and _alone(job.__name__, partial(job, by=by)):
            done[job.__name__] = hour


def _alone(name: str, job: Callable[[], object]) -> bool:
    """Whether it could be done; what hinders it hinders no other."""
    try:
        job()
    except Exception:
        log.exception("%s failed and is asked again", name)
        return False
    return True


def _hours(stop: threading.Event) -> None:
    """What is done each hour, and what samples of audits drew.

    Asked each minute; the acts themselves do an hour once, and after a stop the hours that wait.
    """
    from django.db import connection

    from lianfang.accounts.queries import system_actor
    from lianfang.audit import actions as audit
    from lianfang.kernel import clock

    done: dict[str, datetime] = {}
    while not stop.is_set():
        by = system_actor("hourly digests", clock.now(), ())
        hourly(done, by=by)
        _alone("keep_draws", partial(audit.keep_draws, at=by.at))
        connection.close()
        stop.wait(60.0)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    django.setup()
    from lianfang.accounts.queries import public_names
    from lianfang.gates import publisher
    from lianfang.ledger import jobs as ledger_jobs

    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    loops = {
        "jobs": _jobs,
        "chain": partial(ledger_jobs.loop, names=public_names),
        "status lists": publisher.loop,
        "hourly digests": _hours,
    }
    threads = [
        threading.Thread(target=_kept_alive, args=(name, loop, stop), name=name)
        for name, loop in loops.items()
    ]
    for thread in threads:
        thread.start()
    log.info("worker is up")
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
