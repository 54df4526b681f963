"""Formats Kafka's storage, starts the server and knows when it answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.child import Child
from deploy.local.port import free_port, is_free
from deploy.local.refusal import ChildDied, ToolMissing

JARS = Path(__file__).parent / "libs"
_CLUSTER = "Z3Vhbmh1LWxvY2FsLTAwMQ"  # 16 bytes in base64: the one cluster a data folder ever belongs to

_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


def address(port: int) -> str:
    return f"127.0.0.1:{port}"


def check() -> None:
    """Raises ToolMissing when the server cannot be started on this machine."""
    _java()


def start(data: Path, port: int, *, log: Path, heap: str = "512m") -> Child:
    """Start the server; it is of use once ``ready`` has returned. Raises ToolMissing, ChildDied."""
    java = _java()
    data.mkdir(parents=True, exist_ok=True)
    settings = data / "server.properties"
    settings.write_text(_properties(data / "log", port, controller=free_port()))
    if not (data / "log" / "meta.properties").exists():
        _format(java, settings, log)
    return Child("kafka", [*java, f"-Xms{heap}", f"-Xmx{heap}", "kafka.Kafka", settings], log=log)


async def ready(child: Child, port: int, *, seconds: float = 60) -> None:
    """Wait until the broker is a member of its own cluster and answers. Raises ChildDied."""
    await child.until(lambda: _answers(port), seconds=seconds)


def _java() -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise ToolMissing("Java", "apt-get install -y openjdk-17-jre-headless")
    if not any(JARS.glob("kafka_*.jar")):
        raise ToolMissing("the Kafka server (deploy/local/kafka/libs)", "make setup")
    # The optimising compiler takes more of a small machine, in the first minutes, than it gives back in an hour.
    return [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", *_LOGGING, "-cp", f"{JARS}/*"]


def _format(java: list[str], settings: Path, log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *java,
        "kafka.tools.StorageTool",
        "format",
        "-t",
        _CLUSTER,
        "-c",
        str(settings),
    ]
    with log.open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise ChildDied("kafka", "could not format its storage", log)


async def _answers(port: int) -> bool:
    if is_free(port):  # the client would complain of it on the terminal
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=address(port), request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


def _properties(folder: Path, port: int, *, controller: int) -> str:
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": folder,
        # Who owns a topic creates it, with the right partitions; a consumer that is early must not.
        "auto.create.topics.enable": "false",
        "log.retention.ms": -1,
        "log.segment.bytes": 128 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
