/*
 * xml: text on its way into XML or HTML.
 */
#ifndef EASPOOL_CORE_BASE_XML_H
#define EASPOOL_CORE_BASE_XML_H

#include "core/base/buf.h"

/* With & < > " as entities. The text must be clean (utf8.h). */
void xml_escape(struct buf *b, struct str text);

#endif
