"""Why a file is not taken at all, said to whoever sent it. Nothing of such a file is kept.

BadFile
├── FileIsEmpty          no bytes, or no rows
├── FileTypeUnknown      no xlsx, xls or csv
├── MacroWorkbook        it holds macros
├── LinksOutside         it draws on other workbooks
├── FileIsLocked         it is protected by a password
├── FileIsDamaged        it cannot be read to its end
├── UnpacksTooLarge      its parts declare far more than a ledger holds
├── TooManyRows          over 200,000
├── SeveralSheets        more than one visible sheet holds something
├── LedgerUnknown        no ledger has these headers
├── ColumnUnknown        a header is none of this ledger's
├── ColumnMissing        a header that the ledger cannot do without is not there
├── ColumnTwice          two columns have the same header
└── SecondHeaderLine     the header stands in two lines
"""

from __future__ import annotations

from typing import ClassVar, Final

from shared.contracts.refusal import Refusal

MAX_ROWS: Final = 200_000


class BadFile(Refusal):
    """The file was not taken."""

    status: ClassVar[int] = 422
    said: ClassVar[str] = "文件不能导入。"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.said)


class FileIsEmpty(BadFile):
    said = "文件是空的。"
    what_to_do = "请确认导出是否成功，表头下至少要有一行数据，然后重新上传。"


class FileTypeUnknown(BadFile):
    status = 415
    said = "这不是 xlsx、xls 或 csv 文件。"
    what_to_do = "请在 Excel 或 WPS 中打开，另存为“Excel 工作簿 (*.xlsx)”后上传。"


class MacroWorkbook(BadFile):
    status = 415
    said = "文件带有宏，不予接收。"
    what_to_do = "请另存为不带宏的“Excel 工作簿 (*.xlsx)”后上传。"


class LinksOutside(BadFile):
    said = "文件引用了其他工作簿，其内容不在这个文件里。"
    what_to_do = "请在“数据”→“编辑链接”中断开链接，或复制后“选择性粘贴—数值”到新的工作簿，再上传。"


class FileIsLocked(BadFile):
    said = "文件有打开密码。"
    what_to_do = "请先取消密码，再上传。"


class FileIsDamaged(BadFile):
    said = "文件已损坏，或过于庞大，不能完整读取。"
    what_to_do = "请在 Excel 或 WPS 中打开并另存为新的 xlsx 文件后上传；空白行列多时请先删除。"


class UnpacksTooLarge(BadFile):
    status = 413
    said = "文件解压后的大小远超一份台账。"
    what_to_do = "请把数据复制到新的工作簿中，去掉图片和多余的工作表后上传。"


class TooManyRows(BadFile):
    status = 413
    said = f"数据超过 {MAX_ROWS:,} 行。"
    what_to_do = "请按乡镇拆分成几个文件，分别上传。"


class SeveralSheets(BadFile):
    said = "有多个工作表含有数据，不知道该导入哪一个。"
    what_to_do = "请每个文件只留一个工作表，其余的另存为单独的文件，分别上传。"


class LedgerUnknown(BadFile):
    said = "前 10 行中找不到任何一种台账的表头。"
    what_to_do = (
        "请使用规定的表头，每列一个：台账（登记表、花名册、一户一档、驻村工作组花名册）见 docs/imports.md，"
        "用于比对的名册见 docs/matching.md。"
    )


class ColumnUnknown(BadFile):
    what_to_do = "请把这一列的表头改为台账的规定名称；不需要导入的列请删除。"


class ColumnMissing(BadFile):
    what_to_do = "请补上缺少的列；表头名称见 docs/imports.md。"


class ColumnTwice(BadFile):
    what_to_do = "请把重复的列合并或删除一列后上传。"


class SecondHeaderLine(BadFile):
    said = "表头有两行。"
    what_to_do = "请取消合并单元格，把表头写成一行，例如“父亲姓名”“父亲电话”，并删除第二行表头。"


BAD_FILES: Final = {kind().code: kind for kind in BadFile.__subclasses__()}
"""By code: how the process that reads the file tells its reason to the one that answers."""
