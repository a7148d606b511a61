#include "sigma_words.h"
