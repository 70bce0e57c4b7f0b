"""Posts (岗位): in which role an officer works at a desk."""

from typing import Literal

PostRole = Literal["window", "handler", "approver", "head"]  # 窗口, 承办, 审批, 负责人
