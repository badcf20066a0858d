// Subjects that a prompt may name, as simple shapes: faces of animals, a person, food, a few things. Pure. What no word names
// stays a landscape.

import type { Shape } from '../canvas.ts';
import { animal, type Coat } from './animal.ts';
import { astronaut } from './astronaut.ts';
import { balloon } from './balloon.ts';
import { boat } from './boat.ts';
import { cake } from './cake.ts';
import { cup } from './cup.ts';
import { flower } from './flower.ts';
import { fruit } from './fruit.ts';
import { house } from './house.ts';
import { lighthouse } from './lighthouse.ts';
import { person } from './person.ts';
import { rocket } from './rocket.ts';
import { type Stage, WHITE } from './stage.ts';

export interface Subject {
  ground: 'hills' | 'forest' | 'sea' | 'studio';
  draw(shapes: Shape[], stage: Stage): void;
}

const COATS: [RegExp, Coat][] = [
  [/\b(fox\w*|fuchs|füchse)\b/, { colour: [226, 104, 44], belly: WHITE, ears: 'pointed', muzzle: 'snout' }],
  [
    /\b(cat|cats|kitten\w*|tiger|lynx|katze\w*|kater|kätzchen)\b/,
    { colour: [128, 124, 140], belly: [236, 232, 236], ears: 'pointed', muzzle: 'flat' },
  ],
  [
    /\b(dog|dogs|puppy|hund\w*|welpe)\b/,
    { colour: [176, 120, 72], belly: [244, 226, 200], ears: 'hanging', muzzle: 'snout' },
  ],
  [
    /\b(wolf|wolves|husky|wölfe)\b/,
    { colour: [104, 112, 126], belly: [230, 234, 240], ears: 'pointed', muzzle: 'snout' },
  ],
  [
    /\b(bears?|panda|bär\w*|teddy)\b/,
    { colour: [112, 76, 54], belly: [206, 168, 130], ears: 'round', muzzle: 'snout' },
  ],
  [
    /\b(rabbit|bunny|hare|hase\w*|kaninchen)\b/,
    { colour: [196, 178, 164], belly: WHITE, ears: 'long', muzzle: 'flat' },
  ],
  [/\b(owl|eule\w*|uhu)\b/, { colour: [124, 92, 70], belly: [222, 196, 158], ears: 'tufts', muzzle: 'beak' }],
];

/** The first that the words name. @param words in lower case */
export function subjectIn(words: string): Subject | undefined {
  const coat = COATS.find(([name]) => name.test(words))?.[1];
  if (coat) return { ground: 'forest', draw: (shapes, stage) => animal(shapes, stage, coat) };
  return SUBJECTS.find(([name]) => name.test(words))?.[1];
}

const SUBJECTS: [RegExp, Subject][] = [
  [/\bastronaut\w*\b/, { ground: 'studio', draw: astronaut }],
  [
    /\b(woman|girl|lady|queen|princess|frau|mädchen|dame|königin)\b/,
    { ground: 'studio', draw: (shapes, stage) => person(shapes, stage, true) },
  ],
  [
    /\b(portrait|person|man|boy|king|face|human|porträt|mann|junge|mensch|gesicht|könig)\b/,
    { ground: 'studio', draw: (shapes, stage) => person(shapes, stage, stage.random() < 0.4) },
  ],
  [/\b(coffee|tea|cup|mug|espresso|kaffee|tee|tasse|kakao)\b/, { ground: 'studio', draw: cup }],
  [/\b(cake|birthday|dessert|kuchen|torte|geburtstag\w*)\b/, { ground: 'studio', draw: cake }],
  [
    /\b(apples?|fruits?|food|peach|tomato|apfel|äpfel|obst|frucht|essen|pfirsich)\b/,
    { ground: 'studio', draw: fruit },
  ],
  [
    /\b(flowers?|rose|tulip|daisy|sunflower|blumen?|rosen?|tulpe|blüte\w*)\b/,
    { ground: 'hills', draw: flower },
  ],
  [/\b(lighthouse|leuchtturm)\b/, { ground: 'sea', draw: lighthouse }],
  [/\b(boat|ship|sail\w*|yacht|boot|schiff|segel\w*)\b/, { ground: 'sea', draw: boat }],
  [/\b(balloons?|ballon\w*|heißluftballon\w*)\b/, { ground: 'hills', draw: balloon }],
  [/\b(rockets?|spaceship|rakete\w*|raumschiff)\b/, { ground: 'studio', draw: rocket }],
  [/\b(house|cottage|cabin|home|castle|haus|hütte|schloss|burg)\b/, { ground: 'hills', draw: house }],
];
