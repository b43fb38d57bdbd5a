"""Files of the lake that are no tables, through Hadoop's file system, whatever its scheme."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from pyspark.sql import SparkSession

from shelfcast import storage

# Stores in which an object is there once it has been sent; there a rename would send it again.
_WHOLE_WHEN_CLOSED = ("s3a", "s3", "gs")
# No path has it.
_BETWEEN = "\0"


class Folder:
    """The files under one root, each known by its path below it."""

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self.root = root.rstrip("/")

    def address(self, name: str) -> str:
        """Where the file lies that a row of the lake names."""
        return storage.address(self.root, name)

    def below(self, address: str) -> str:
        """The path below the root of what lies there."""
        return address.removeprefix(f"{self.root}/")

    def names(self, pattern: str) -> list[str]:
        """The last part of each path that fits the pattern, in order."""
        return sorted(Path(found).name for found in self._found(pattern))

    def paths(self, pattern: str) -> list[str]:
        """The paths below the root that fit the pattern, in order."""
        depth = pattern.count("/") + 1
        return sorted("/".join(each.split("/")[-depth:]) for each in self._found(pattern))

    def _found(self, pattern: str) -> list[str]:
        """The addresses that fit the pattern, by one call of the JVM: a log has a file for each commit of years."""
        filesystem, path = self._hadoop(pattern)
        paths = self._jvm.org.apache.hadoop.fs.FileUtil.stat2Paths(filesystem.globStatus(path))
        told = self._jvm.scala.collection.mutable.ArraySeq.make(paths).mkString(_BETWEEN) if paths else ""
        return told.split(_BETWEEN) if told else []

    def has_file(self, name: str) -> bool:
        filesystem, path = self._hadoop(name)
        return bool(filesystem.exists(path))

    def create(self, name: str) -> None:
        """Make an empty file."""
        filesystem, path = self._hadoop(name)
        filesystem.create(path, True).close()

    def read_text(self, name: str) -> str:
        filesystem, path = self._hadoop(name)
        stream = filesystem.open(path)
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write_text(self, name: str, text: str) -> None:
        """Put a text file into the lake, whole or not at all."""
        filesystem, path = self._hadoop(name)
        if filesystem.getScheme() in _WHOLE_WHEN_CLOSED:
            self._write(filesystem, path, text)
            return
        # Two may write the same file at once: the last one stands.
        part = self._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}.{uuid4().hex[:8]}.part")
        self._write(filesystem, part, text)
        # A rename by the file system itself does not replace on all of them, and says so by a result alone.
        options = self._jvm.org.apache.hadoop.fs.Options.Rename
        gateway: Any = self.spark.sparkContext._gateway
        overwrite = gateway.new_array(options, 1)
        overwrite[0] = options.OVERWRITE
        context = self._jvm.org.apache.hadoop.fs.FileContext.getFileContext(filesystem.getUri(), filesystem.getConf())
        context.rename(part, path, overwrite)

    def remove(self, name: str) -> None:
        """Remove a folder or file that is no table; nothing happens where there is none."""
        filesystem, path = self._hadoop(name)
        filesystem.delete(path, True)

    @staticmethod
    def _write(filesystem: Any, path: Any, text: str) -> None:
        stream = filesystem.create(path, True)
        try:
            stream.write(bytearray(text.encode("utf-8")))
        finally:
            stream.close()

    @property
    def _jvm(self) -> Any:
        return self.spark.sparkContext._jvm

    def _hadoop(self, name: str) -> tuple[Any, Any]:
        """The file system, and the path in it."""
        path = self._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}")
        return path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration()), path
