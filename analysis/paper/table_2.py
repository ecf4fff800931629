"""Table 2: accuracy of the twelve networks, beside their untrained selves and the pixels, with sizes and paired tests.

python analysis/paper/table_2.py [RUN ...] [--seeds 5] [--folder runs/study]
"""

from shared import Network, Study, main

from stdpnet.stdp.spec.presets import TABLE_2
from stdpnet_analysis.compare import compare
from stdpnet_analysis.figures import RunView
from stdpnet_analysis.tables import as_markdown


def table(views: list[RunView]) -> str:
    """Return the comparison of all runs as Markdown."""
    return as_markdown(compare([view.run for view in views]))


STUDY = Study("table-2", tuple(Network(row.name) for row in TABLE_2.values()), table, all_seeds=True)

if __name__ == "__main__":
    main(STUDY, __doc__)
