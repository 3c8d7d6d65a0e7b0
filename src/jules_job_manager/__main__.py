"""`python -m jules_job_manager` is the same program as `jjm`."""

from jules_job_manager.cli.main import program

if __name__ == "__main__":
    program()
