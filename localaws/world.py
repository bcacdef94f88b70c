"""What the services of the embedded AWS share: the address, the data folder, the way to call each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from moto.core import utils as moto_utils
from moto.core.loaders import create_loader

from localaws.options import Options

log = logging.getLogger("localaws")


class World:
    """One embedded AWS.

    `data` is the one folder that holds everything on disk (job and endpoint folders, function code, logs);
    `cache` holds what may outlive it (the Python environments of jobs, by content). `options` are the user's
    choices. `endpoint` is the URL that answers every AWS API, known once the server listens.
    """

    def __init__(self, data: Path, cache: Path, options: Options | None = None) -> None:
        self.data = data
        self.cache = cache
        self.options = options or Options()
        self.endpoint = ""
        self.stopping = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=64, thread_name_prefix="localaws")

    def client(self, service: str, account: str, region: str) -> Any:
        """A boto3 client that calls this embedded AWS as `account` in `region` (cached, thread-safe)."""
        return _client(service, account, region, self.endpoint)

    def environment(self, account: str, region: str) -> dict[str, str]:
        """The environment variables that point any AWS client at this embedded AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def background(self, work: Callable[..., object], *args: Any) -> None:
        """Run `work(*args)` on another thread; an exception is logged, never lost."""

        def guarded() -> None:
            try:
                work(*args)
            except Exception:
                log.exception("background work failed: %s", getattr(work, "__qualname__", work))

        if not self.stopping.is_set():
            self._pool.submit(guarded)

    def close(self) -> None:
        """Refuse new background work and wake what waits on `stopping`."""
        self.stopping.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


_LOADER = create_loader()
# moto reads the same model files as the clients: read once, they take half the memory.
moto_utils.create_loader = lambda: _LOADER
_making_clients = threading.Lock()


@lru_cache(maxsize=1)
def _session() -> Any:
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    return boto3.session.Session(botocore_session=core)


@lru_cache(maxsize=64)
def _client(service: str, account: str, region: str, endpoint: str) -> Any:
    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
        max_pool_connections=64,
        read_timeout=900,
        # botocore would read the endpoint from the environment of whoever started the server.
        ignore_configured_endpoint_urls=True,
    )
    # Clients may be used from many threads, but a session must not make two at once.
    with _making_clients:
        return _session().client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=account,
            aws_secret_access_key="embedded",  # noqa: S106 -- nothing checks it
        )
