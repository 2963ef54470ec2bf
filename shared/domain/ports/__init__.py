"""The protocols through which the use cases reach storage and other services.

`shared.aws` implements them with AWS services, `shared.embedded` with files and a database in one folder.
"""
