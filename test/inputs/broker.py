"""A real broker for tests, and a producer by librdkafka itself.

    with Broker(folder) as broker:            # raises Missing where none can be had
        broker.send("topic", 0, [b"one"])     # on the broker's disk when it returns

Java and the broker's libraries must be there: the folder MERLON_KAFKA, or they are fetched by Maven
into {BUILD}/kafka.
"""
import ctypes
import glob
import os
import shutil
import socket
import subprocess
import time

PATIENCE = 120
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>merlon</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>3.9.1</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>3.9.1</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
<version>1.7.36</version></dependency></dependencies></project>
"""
SETTINGS = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Missing(Exception):
    pass


def libraries():
    folder = os.environ.get("MERLON_KAFKA") or os.path.join(
        os.path.realpath(os.environ.get("BUILD", "build")), "kafka")
    lib = os.path.join(folder, "lib")
    if not shutil.which("java"):
        raise Missing("no Java for the broker")
    if not glob.glob(lib + "/kafka_2.13-*.jar"):
        if not shutil.which("mvn"):
            raise Missing("no Maven to fetch the broker")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pom.xml"), "w") as out:
            out.write(POM)
        run = subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies",
                              "-DoutputDirectory=lib"], cwd=folder, capture_output=True)
        if run.returncode != 0:
            raise Missing("Maven cannot fetch the broker")
    return lib


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    def __init__(self, folder):
        self.lib = libraries()
        try:
            self.rd = ctypes.CDLL("librdkafka.so.1")
        except OSError:
            raise Missing("librdkafka is not installed") from None
        for name in ("conf_new", "new", "topic_new"):
            getattr(self.rd, "rd_kafka_" + name).restype = ctypes.c_void_p
        self.folder = folder
        os.makedirs(folder)
        self.port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.settings = os.path.join(folder, "server.properties")
        with open(self.settings, "w") as out:
            out.write(SETTINGS.format(port=self.port, controller=controller, folder=folder))
        self.java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c",
                  self.settings).wait(PATIENCE)
        self.producer = None
        self.process = None

    def java(self, *words):
        with open(os.path.join(self.folder, "said"), "a") as out:
            return subprocess.Popen(["java", "-Xmx512m", "-cp", self.lib + "/*", *words],
                                    stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = self.java("kafka.Kafka", self.settings)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, "no broker"
                time.sleep(0.1)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def send(self, topic, partition, messages):
        rd, error = self.rd, ctypes.create_string_buffer(512)
        if not self.producer:
            conf = ctypes.c_void_p(rd.rd_kafka_conf_new())
            for key, value in (("bootstrap.servers", self.address), ("acks", "all"),
                               ("enable.idempotence", "true"), ("log_level", "0")):
                assert rd.rd_kafka_conf_set(conf, key.encode(), value.encode(), error, 512) == 0
            self.producer = ctypes.c_void_p(rd.rd_kafka_new(0, conf, error, 512))
            assert self.producer, error.value
        place = ctypes.c_void_p(rd.rd_kafka_topic_new(self.producer, topic.encode(), None))
        for m in messages:
            while rd.rd_kafka_produce(place, partition, 2, m, ctypes.c_size_t(len(m)), None,
                                      ctypes.c_size_t(0), None) != 0:
                rd.rd_kafka_poll(self.producer, 10)
        assert rd.rd_kafka_flush(self.producer, PATIENCE * 1000) == 0
