"""`python -m jules_job_manager` is the same program as `jjm`."""

from jules_job_manager.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
