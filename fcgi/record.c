#include "fcgi/record.h"

enum { VERSION = 1, END_REQUEST = 3, OUTPUT = 6, PIECE = 65528 };

static void head(struct buf *b, int type, unsigned id, size_t n)
{
	buf_addc(b, VERSION);
	buf_addc(b, (char)type);
	buf_addc(b, (char)(id >> 8));
	buf_addc(b, (char)id);
	buf_addc(b, (char)(n >> 8));
	buf_addc(b, (char)n);
	buf_addc(b, 0);
	buf_addc(b, 0);
}

void record_output(struct buf *b, unsigned id, struct str bytes)
{
	while (bytes.n) {
		struct str piece = str_sub(bytes, 0, PIECE);

		head(b, OUTPUT, id, piece.n);
		buf_add_str(b, piece);
		bytes = str_sub(bytes, piece.n, bytes.n);
	}
}

void record_end(struct buf *b, unsigned id)
{
	/* The stream's end, then exit code 0 and "request complete". */
	head(b, OUTPUT, id, 0);
	head(b, END_REQUEST, id, 8);
	buf_add(b, "\0\0\0\0\0\0\0\0", 8);
}
