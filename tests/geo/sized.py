"""Databases written by mmdb-writer in a record size and with a time that the caller picks: by itself it takes the smallest size
and the time of the day."""
import unittest.mock

import mmdb_writer


def write(writer, path, record_size, built=None):
    class Tree(mmdb_writer.TreeWriter):
        def _adjust_record_size(self):
            super()._adjust_record_size()
            assert record_size >= self.record_size, "the file does not fit"
            self.record_size = record_size
            self.data_offset = record_size * 2 / 8 * self._node_counter

        def _build_meta(self):
            return {**super()._build_meta(), **({} if built is None else {"build_epoch": built})}

    with unittest.mock.patch.object(mmdb_writer, "TreeWriter", Tree):
        writer.to_db_file(path)
