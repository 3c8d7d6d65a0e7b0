"""Builds the application from settings. The only package that knows every adapter.

`app`: the application and its parts; `opening`: its log and store; `backends`: the ways to reach
Jules; each further file builds what its name says.
"""

from jules_job_manager.bootstrap.app import App
from jules_job_manager.bootstrap.backends import backend_name
from jules_job_manager.bootstrap.opening import data_path, open_app
from jules_job_manager.bootstrap.simulator import open_simulator

__all__ = ["App", "backend_name", "data_path", "open_app", "open_simulator"]
