"""The engine ``daft``: on this machine, on a Ray cluster of several nodes that loses one, and from an S3 server on loopback.

Needs the extra ``cluster`` (and moto's server for S3): run by ``make cluster``, skipped where they are not installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runreport.engines import daft, local
from runreport.engines.objects import find_objects
from runreport.engines.pieces import cut
from runreport.engines.runs import runs_from
from runreport.errors import InputError
from runreport.run import Run
from tests.engines.tables import predictions, write

installed = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import daft, ray"], capture_output=True, check=False).returncode != 0,
    reason="needs daft and ray (the extra `cluster`)",
)
# Both libraries warn of their own futures when they are imported; what they compute is what is tested here.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]


def same(left: Run | InputError, right: Run | InputError) -> None:
    assert isinstance(left, Run), left
    assert isinstance(right, Run), right
    assert left.history is not None
    assert right.history is not None
    assert left.history.epochs == right.history.epochs
    for name, values in left.history.columns.items():
        assert right.history.get(name) == pytest.approx(values, rel=1e-12, abs=1e-12), name


def test_daft_missing_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name=name)

    write(predictions(1, 10), tmp_path / "epoch_predictions_a.parquet")
    monkeypatch.setattr(daft, "import_module", missing)
    with pytest.raises(InputError, match=r"daft is not installed; pip install 'regression-runreport\[cluster\]'"):
        runs_from(find_objects([str(tmp_path)]), daft.ENGINE)


@pytest.mark.parametrize("address", ["127.0.0.1", "ray://:10001", "127.0.0.1:port", "127.0.0.1:99999999"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(InputError, match="--ray-address"):
        daft.check_listening(address)


def test_a_port_where_nobody_listens_is_refused_at_once() -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="nothing answers"):
        daft.check_listening(f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for name, offset in (("a", 0.0), ("b", 1e9)):
        frame = predictions(20, 5000, offset=offset, seed=3)
        half = frame.height // 2
        write(frame.head(half), folder / f"epoch_predictions_{name}" / "part-0.parquet")
        write(frame.tail(-half), folder / f"epoch_predictions_{name}" / "part-1.parquet")
    return folder


SMALL = 12_000
"""Bytes a piece here: some 300 pieces of the tables, so that a node can be lost in the middle of them."""
IN_PROCESS = """
import sys
from runreport.engines import daft, local
from runreport.engines.objects import find_objects
from runreport.engines.runs import runs_from
objects = find_objects([sys.argv[1]])
for left, right in zip(runs_from(objects, local.ENGINE), runs_from(objects, daft.ENGINE), strict=True):
    assert left.history == right.history, left.name
print("equal", len(objects))
"""


@installed
def test_daft_on_this_machine_gives_the_same_digits(tables: Path) -> None:
    # In a process of its own: Daft's runner is set once for a process, and the cluster below needs the other one.
    done = subprocess.run([sys.executable, "-c", IN_PROCESS, str(tables)], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "equal 4", done.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 100 * 1024**2}
    # The head only keeps the books, as on a real cluster; the work is on nodes that can be lost.
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **memory})
    for _ in range(3):
        nodes.add_node(num_cpus=1, **memory)
    try:
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


def slow_answers(begun: str) -> Callable[..., list[bytes]]:
    """The engine's function, slower, and leaving a file for each piece that it began: so that it is known what was left
    to do when the node was lost."""

    def answers(*columns: Any) -> list[bytes]:
        import time
        import uuid
        from pathlib import Path

        from runreport.engines import daft

        (Path(begun) / uuid.uuid4().hex).touch()
        time.sleep(0.05)
        return daft.answers(*columns)

    return answers


@installed
def test_a_cluster_that_loses_a_node_gives_the_same_figures(
    tables: Path, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = find_objects([str(tables)])
    total = len(list(cut(objects, SMALL)))
    begun_when_lost: list[int] = []

    def lose_a_node() -> None:
        until = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < total // 10 and time.monotonic() < until:
            time.sleep(0.02)
        begun_when_lost.append(len(list(tmp_path.iterdir())))
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    monkeypatch.setattr(daft, "answers", slow_answers(str(tmp_path)))
    losing = threading.Thread(target=lose_a_node)
    losing.start()
    found = runs_from(objects, daft.ENGINE, cluster.address, piece_bytes=SMALL)
    losing.join()
    assert total // 10 <= begun_when_lost[0] < total // 2
    for left, right in zip(runs_from(objects, local.ENGINE), found, strict=True):
        same(left, right)


@installed
def test_a_damaged_object_on_the_cluster_is_one_line(tmp_path: Path, cluster: Any) -> None:
    write(predictions(2, 50), tmp_path / "epoch_predictions_good.parquet")
    (tmp_path / "epoch_predictions_bad.parquet").write_bytes(b"PAR1 and nothing more")
    bad, good = runs_from(find_objects([str(tmp_path)]), daft.ENGINE, cluster.address)
    assert isinstance(bad, InputError)
    assert "epoch_predictions_bad.parquet" in str(bad)
    assert isinstance(good, Run)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """An S3 server on loopback, empty; the environment says where it is and with which (made-up) keys."""
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        boto3.client("s3").create_bucket(Bucket="runs")
        yield "runs"
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.mark.parametrize("command", ["polars", pytest.param("daft", marks=installed)])
def test_a_report_from_an_object_store(store: str, tables: Path, tmp_path: Path, command: str) -> None:
    import boto3

    client = boto3.client("s3")
    for path in sorted(tables.rglob("*.parquet")):
        client.upload_file(str(path), store, f"epoch_predictions/{path.relative_to(tables).as_posix()}")
    address = f"s3://{store}/epoch_predictions/*/*.parquet"
    done = subprocess.run(
        [sys.executable, "-m", "runreport", "analyze", "--engine", command, address, "--out", tmp_path, "--no-charts"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    r2 = pl.read_parquet(tables / "epoch_predictions_a" / "*.parquet").filter(epoch=20)
    error = ((r2["y_true"] - r2["y_pred"]) ** 2).mean() / r2["y_true"].var(ddof=0)  # type: ignore[operator]
    assert f"R² is {1 - error:.3f}" in (tmp_path / "a.md").read_text(encoding="utf-8")
