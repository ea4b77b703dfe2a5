"""A domain of the stand-in as plans see it, with its errors as the hook words them."""

from botocore.exceptions import ClientError

from include.local.gateway.errors import AwsError
from updraft.dynamodb.service_errors import explained


class Killed(BaseException):
    """What a process that is killed does not get to handle."""


class LocalDomain:
    """Speaks to a shop's domain.

    :param shop: the shop.
    :param killed_at: number of the call that changes something, from 0 on, after which the process
        dies before it gets the answer.
    """

    CHANGES = ("Create", "Update", "Delete", "Accept", "Reject", "Revoke", "Start")

    def __init__(self, shop, killed_at=None):
        self.shop = shop
        self.domain_id = shop.domain
        self.changes = []
        self._killed_at = killed_at

    def request(self, operation, resource, **parameters):
        given = {name: value for name, value in parameters.items() if value is not None}
        is_change = operation.startswith(self.CHANGES)
        is_last = is_change and len(self.changes) == self._killed_at
        if is_change:
            self.changes.append(operation)
        with explained(f"datazone:{operation}", resource):
            try:
                answer = self.shop.ask(operation, **given)
            except AwsError as error:
                said = {"Error": {"Code": error.code, "Message": error.message}}
                raise ClientError(said, operation) from error
        if is_last:
            raise Killed
        return answer

    def pages(self, operation, resource, member="items", **parameters):
        token = None
        while True:
            page = self.request(operation, resource, nextToken=token, maxResults=2, **parameters)
            yield from page.get(member, ())
            token = page.get("nextToken")
            if not token:
                return
