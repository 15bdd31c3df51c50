# install and uninstall. Included by the Makefile.
