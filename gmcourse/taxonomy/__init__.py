"""The smallest generative models, and the tools of probability that every other family needs."""

from gmcourse.taxonomy.categorical import Categorical
from gmcourse.taxonomy.histogram import Histogram
from gmcourse.taxonomy.naive_bayes import NaiveBayes

__all__ = ["Categorical", "Histogram", "NaiveBayes"]
