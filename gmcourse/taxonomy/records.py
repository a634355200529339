"""The records of this family; each stands beside its model."""

from gmcourse.taxonomy.categorical import CATEGORICAL
from gmcourse.taxonomy.histogram import HISTOGRAM
from gmcourse.taxonomy.naive_bayes import NAIVE_BAYES

RECORDS = (HISTOGRAM, CATEGORICAL, NAIVE_BAYES)
