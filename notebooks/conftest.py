"""Only what a cell prints is compared: progress bars and messages of libraries go to standard error."""


def pytest_collectstart(collector):
    if collector.path.suffix == ".ipynb":
        collector.skip_compare += ("stderr",)
