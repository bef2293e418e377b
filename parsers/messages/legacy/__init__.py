"""Messages of iOS 3 to 5: another database under the same name, with addresses in the rows and no handle table."""
