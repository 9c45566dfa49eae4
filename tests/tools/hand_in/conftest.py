"""The tiny study up to its report, as the tests of the report have it."""

from tests.report.conftest import finished, measured  # noqa: F401
