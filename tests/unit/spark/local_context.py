"""A cluster of one process: it does one task after the other."""

import itertools
import pickle
from types import SimpleNamespace


class LocalContext:
    """What a job uses of ``pyspark.SparkContext``; all that travels to executors is pickled."""

    defaultParallelism = 2  # noqa: N815 - Spark's name

    def __init__(self, **settings):
        self.settings = settings
        self.slices = []

    def getConf(self):  # noqa: N802 - Spark's name
        return SimpleNamespace(get=self.settings.get)

    def parallelize(self, elements, slices):
        self.slices.append(slices)

        def flat_map(function):
            function, tasks = pickle.loads(pickle.dumps((function, elements)))
            results = map(function, tasks)
            return SimpleNamespace(collect=lambda: list(itertools.chain.from_iterable(results)))

        return SimpleNamespace(flatMap=flat_map)
