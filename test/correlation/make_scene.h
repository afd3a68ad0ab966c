/* make_scene: streams of events and rules over them, generated: every type, aliases, chains,
 * generate, ties, files that overlap, values that are missing, several or no numbers, a clock at
 * 2099.
 *
 *     make_scene(&dice, &scene);           // scene.events has MAKE_EVENTS places
 *     make_scene_yaml(&scene, &yaml);      // the same rules as a rule file */
#pragma once

#include "base/buf.h"
#include "property/dice.h"
#include "support/oracle.h"

enum { MAKE_EVENTS = 40 };

void make_scene(struct dice *dice, struct oracle_scene *scene);
void make_scene_yaml(const struct oracle_scene *scene, struct buf *out);
