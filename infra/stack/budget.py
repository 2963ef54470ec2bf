"""A monthly budget of the account, which sends mail before it is exceeded."""

from typing import Final

from aws_cdk import aws_budgets as budgets
from constructs import Construct

WARNINGS: Final = {"ACTUAL": 80, "FORECASTED": 100}
"""Percentages of the budget at which mail is sent: of actual and of forecast costs."""


class Budget(Construct):
    """AWS::Budgets::Budget over all services of the account; the first two of an account cost nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, dollars: int, email: str) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind,
                        comparison_operator="GREATER_THAN",
                        threshold=threshold,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)],
                )
                for kind, threshold in WARNINGS.items()
            ],
        )
