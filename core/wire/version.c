#include "core/wire/version.h"

#include "core/base/rc.h"

static const struct {
	enum eas_version v;
	const char *name;
} versions[] = {
	{V25,  "2.5" },
	{V120, "12.0"},
	{V121, "12.1"},
	{V140, "14.0"},
	{V141, "14.1"},
	{V160, "16.0"},
	{V161, "16.1"},
};

const char *version_name(enum eas_version v)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (versions[i].v == v)
			return versions[i].name;
	return NULL;
}

enum eas_version version_of(struct str text)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (str_is(text, versions[i].name))
			return versions[i].v;
	return V_NONE;
}

enum eas_version version_of_number(unsigned n)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if ((unsigned)versions[i].v == n)
			return versions[i].v;
	return V_NONE;
}

enum eas_version version_at(unsigned i)
{
	return i < ARRAY_LEN(versions) ? versions[i].v : V_NONE;
}
