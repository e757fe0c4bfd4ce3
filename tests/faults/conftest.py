from tests.faults.scenes import cloud

__all__ = ["cloud"]
