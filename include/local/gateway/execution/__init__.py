"""Running users' scripts and jobs as processes of this machine, for the services that execute."""
