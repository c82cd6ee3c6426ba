chmod 0700 tool/lib shared/more
